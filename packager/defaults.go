package packager

// WithDefaults returns c with its zero values filled in: what an operator gets who writes nothing.
func (c Config) WithDefaults() Config { return c.withDefaults() }
