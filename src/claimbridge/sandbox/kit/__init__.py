"""What the played ERPs share: books, replies, signatures, disturbances."""
