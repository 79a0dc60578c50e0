"""Readers: one file format a file, to labelled sentences or documents with character spans."""
