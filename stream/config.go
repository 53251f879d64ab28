package stream

import (
	"fmt"
	"time"
)

// Config is the hub's part of the configuration. The zero value is usable.
type Config struct {
	// ReconnectWindow is how long a show waits for a host who has gone; 60 s by default. A negative
	// value ends a show as soon as its host leaves.
	ReconnectWindow time.Duration `yaml:"reconnect_window"`
	// MaxStreams bounds the number of shows at a time; 1,000 by default.
	MaxStreams int `yaml:"max_streams"`
	// StateFile is where the server keeps the names of the shows that are on, so that viewers can wait for
	// them across a restart; pushcart-data/shows.json by default, "off" for nowhere.
	StateFile string `yaml:"state_file"`
}

const (
	defaultReconnectWindow = time.Minute
	maxReconnectWindow     = time.Hour
	defaultMaxStreams      = 1000
	defaultStateFile       = "pushcart-data/shows.json"
)

// WithDefaults returns c with its zero values filled in.
func (c Config) WithDefaults() Config {
	if c.ReconnectWindow == 0 {
		c.ReconnectWindow = defaultReconnectWindow
	}
	if c.MaxStreams == 0 {
		c.MaxStreams = defaultMaxStreams
	}
	if c.StateFile == "" {
		c.StateFile = defaultStateFile
	}
	return c
}

// Validate checks the bounds. Its errors name the key.
func (c Config) Validate() error {
	switch {
	case c.ReconnectWindow > maxReconnectWindow:
		return fmt.Errorf("reconnect_window is %v: it must be at most %v", c.ReconnectWindow, maxReconnectWindow)
	case c.MaxStreams < 0:
		return fmt.Errorf("max_streams is %d: it must be at least 1", c.MaxStreams)
	}
	return nil
}
