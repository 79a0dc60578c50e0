"""What runs inside the child: our own reader, checker and runner, from the standard library alone."""
