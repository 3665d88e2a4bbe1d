"""One call by a contract: write the request, judge it, read the reply, report its drift."""
