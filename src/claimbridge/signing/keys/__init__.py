"""What signs: identities, key files, tokens, keys for trying things out."""
