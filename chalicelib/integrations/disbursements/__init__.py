"""Who pays loans out: one interface, an adapter a provider."""
