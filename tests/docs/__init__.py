"""Tests of the documentation: links, navigation, commands in code blocks, sections, words, and the built site."""
