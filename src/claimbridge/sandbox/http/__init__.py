"""From a socket to a Responder and back: what every played ERP shares of HTTP and SOAP."""
