"""What a WSDL and its schemas declare, as values: for people and comparisons."""
