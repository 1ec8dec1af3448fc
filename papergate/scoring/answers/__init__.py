"""The language of answers: how they are written, what they mean, when two are equal."""
