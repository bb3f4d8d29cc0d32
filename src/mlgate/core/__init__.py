"""The words of mlgate as plain frozen data; this package imports nothing else of mlgate."""
