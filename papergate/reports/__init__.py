"""What to hand over: JUnit properties, HTML page, evidence."""
