package admin

import (
	"fmt"
	"net"
	"net/netip"
)

// Config is the operators' part of the configuration. The zero value is usable.
type Config struct {
	// Listen is the address of the control API, metrics and profiles; "127.0.0.1:8081" by default, "off"
	// for none. There is no password: whoever reaches it can end shows, so keep it on an address that
	// only operators reach.
	Listen string `yaml:"listen"`
}

const defaultListen = "127.0.0.1:8081"

// Off is the value of Config.Listen for no listener.
const Off = "off"

// WithDefaults returns c with its zero values filled in.
func (c Config) WithDefaults() Config {
	if c.Listen == "" {
		c.Listen = defaultListen
	}
	return c
}

// Validate checks the address. Its error names the key.
func (c Config) Validate() error {
	c = c.WithDefaults()
	if c.Listen == Off {
		return nil
	}
	_, port, err := net.SplitHostPort(c.Listen)
	if err == nil {
		_, err = net.LookupPort("tcp", port)
	}
	if err != nil {
		return fmt.Errorf(`listen is %q: it must be "host:port", ":port" or "off"`, c.Listen)
	}
	return nil
}

// local reports whether only processes on this machine can reach the address.
func (c Config) local() bool {
	host, _, _ := net.SplitHostPort(c.WithDefaults().Listen)
	return isLoopback(host)
}

func isLoopback(host string) bool {
	a, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && a.Unmap().IsLoopback()
}
