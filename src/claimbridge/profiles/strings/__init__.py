"""Services that take a document as a string: templates and Yonyou NC."""
