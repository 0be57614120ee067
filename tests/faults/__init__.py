"""Faults done to the running program, and what must hold after each.

Not among the plain tests: ``python3 run_monitor.py test --faults`` runs them.
"""
