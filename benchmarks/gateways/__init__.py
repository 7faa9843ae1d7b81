"""What `run_gateways.py` is made of: one module, one part of the measurement."""
