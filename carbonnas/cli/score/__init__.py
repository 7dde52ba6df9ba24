"""`carbonnas score`: what zero-cost proxies say of architectures."""
