"""What providers answer, read: a parser for each, and what all of them share."""
