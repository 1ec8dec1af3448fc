"""Reading a completion: the text after the thought, its boxes, what it announces, the letter it chooses."""
