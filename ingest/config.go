package ingest

import (
	"fmt"
	"time"
)

// Config is about those who stand beside a show's host. The zero value is usable.
type Config struct {
	// Offset is how much later than it arrives the sound of interpreters is heard; 0 by default. A host
	// whose picture is on its way for longer than an interpreter's voice needs one above zero. Each
	// interpreter's address may have its own (?offset=300ms).
	Offset time.Duration `yaml:"offset"`
}

// WithDefaults returns c: here the zero value is the default.
func (c Config) WithDefaults() Config { return c }

// Validate checks the bounds. Its error names the key.
func (c Config) Validate() error {
	if c.Offset < minOffset || c.Offset > maxOffset {
		return fmt.Errorf("offset is %v: it must be from %v to %v", c.Offset, minOffset, maxOffset)
	}
	return nil
}
