"""What providers answer, read: for each its requests and its answers, and what all of them share."""
