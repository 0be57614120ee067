"""The demo: made-up outlets and real sinks on loopback, and the real pipeline between them."""
