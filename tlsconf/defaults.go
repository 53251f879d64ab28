package tlsconf

// WithDefaults returns c with its zero values filled in: what an operator gets who writes nothing.
func (c Config) WithDefaults() Config {
	if c.ACME.CacheDir == "" {
		c.ACME.CacheDir = defaultCacheDir
	}
	return c
}
