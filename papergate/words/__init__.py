"""Sentences: what is noted as a code and its values is said here, in one module for each language."""
