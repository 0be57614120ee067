"""What goes out: route, excerpt, render, send."""
