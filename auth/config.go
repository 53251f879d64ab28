package auth

import (
	"errors"
	"fmt"
	"log/slog"
	"strings"
)

// Config says who may publish. With the zero value, only processes on the server's own machine may.
type Config struct {
	// Secret signs stream keys: NAME-SIGNATURE can publish the show NAME. Empty by default: no signed
	// keys. Changing it makes all signed keys worthless at once.
	Secret Secret `yaml:"secret"`
	// Keys are stream keys with a name of their own, for hosts who need a key that can be withdrawn
	// alone. None by default. Several keys may have the same name.
	Keys []Key `yaml:"keys"`
	// AllowLoopback lets processes on the server's own machine publish under any name although keys are
	// configured; false by default. Leave it so where a proxy or a port forwarder on the same
	// machine stands in front of the server (nginx, HAProxy, ssh -L, Docker's userland proxy): all that
	// comes through it has a loopback address, and would need no key.
	AllowLoopback bool `yaml:"allow_loopback"`
}

// Key is a stream key and the name of the show that it publishes.
type Key struct {
	// Name is the show's; with @fr or /720p behind it, the key is for that part of the show alone.
	Name string `yaml:"name"`
	Key  Secret `yaml:"key"`
}

// Secret is a string that does not show itself in logs and messages; string(s) has it.
type Secret string

// String returns a stand-in.
func (s Secret) String() string {
	if s == "" {
		return "(none)"
	}
	return "(hidden)"
}

// GoString returns the same stand-in for %#v.
func (s Secret) GoString() string { return s.String() }

// LogValue keeps slog from seeing more.
func (s Secret) LogValue() slog.Value { return slog.StringValue(s.String()) }

// MarshalText keeps encoders (JSON, YAML) from seeing more.
func (s Secret) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// Bounds of a Config.
const (
	minSecret = 16
	maxSecret = 1024
	minKey    = 8
	maxKeys   = 20_000
)

// Configured reports whether any key can be valid, so that publishers need one.
func (c Config) Configured() bool { return c.Secret != "" || len(c.Keys) > 0 }

// WithDefaults returns c: here the zero values are the defaults.
func (c Config) WithDefaults() Config { return c }

// Validate reports everything that is wrong with c, joined. Each error begins with its key.
func (c Config) Validate() error {
	var errs []error
	switch n := len(c.Secret); {
	case strings.HasPrefix(string(c.Secret), "change me"):
		errs = append(errs, errors.New("secret is the one of the README, which everybody knows: make your own (openssl rand -hex 32)"))
	case n > 0 && n < minSecret:
		errs = append(errs, fmt.Errorf("secret has %d characters: use at least %d (openssl rand -hex 32 makes a good one)", n, minSecret))
	case n > maxSecret:
		errs = append(errs, fmt.Errorf("secret has %d characters: use at most %d", n, maxSecret))
	}
	if len(c.Keys) > maxKeys {
		errs = append(errs, fmt.Errorf("keys has %d entries: list at most %d, or use signed keys (secret)", len(c.Keys), maxKeys))
		return errors.Join(errs...)
	}
	first := make(map[Secret]int, len(c.Keys))
	for i, k := range c.Keys {
		if _, err := ParseGrant(k.Name); err != nil {
			errs = append(errs, fmt.Errorf("keys[%d].name: %w", i, err))
		}
		if err := checkListed(string(k.Key)); err != nil {
			errs = append(errs, fmt.Errorf("keys[%d].key %w", i, err))
		} else if j, ok := first[k.Key]; ok {
			errs = append(errs, fmt.Errorf("keys[%d].key is the same as that of keys[%d]: each key can be listed once", i, j))
		} else {
			first[k.Key] = i
		}
	}
	return errors.Join(errs...)
}

// checkListed: a listed key stands in a URL's path in some encoders, so it can't contain what ends one.
func checkListed(key string) error {
	switch {
	case len(key) < minKey:
		return fmt.Errorf("has %d characters: use at least %d, hard to guess ones", len(key), minKey)
	case len(key) > maxKey:
		return fmt.Errorf("has %d characters: use at most %d", len(key), maxKey)
	case strings.ContainsFunc(key, notInKeys):
		return errors.New("has a character that encoders can't send: use letters, digits and punctuation without spaces, '/', '?', '#', '&' and '%'")
	}
	return nil
}

func notInKeys(r rune) bool {
	return r <= ' ' || r >= 0x7f || strings.ContainsRune(`/?#&%"\`, r)
}
