"""What plans ask for, and the one loop that performs them."""
