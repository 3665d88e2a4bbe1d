"""Examples: claims, a chart of accounts, and programs; ``claimbridge demo`` submits the claims."""
