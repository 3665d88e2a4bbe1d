"""What ``fuzz_verify`` throws at the verifier: signed originals, and how they are changed."""
