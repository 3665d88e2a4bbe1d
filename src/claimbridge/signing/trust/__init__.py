"""Who may have signed: chains, revocation, policies, time stamps."""
