"""One call by a contract: render a request, judge its body, read the reply."""
