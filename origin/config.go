package origin

import (
	"fmt"
	"net"
	"time"
)

// Config is the origin's part of the configuration. The zero value is usable.
type Config struct {
	// Listen is the address for HTTP/1.1 and HTTP/2 without TLS; ":8080" by default, "off" for none.
	Listen string `yaml:"listen"`
	// ListenTLS is the address for HTTPS, which is served once a certificate is configured; ":8443" by
	// default, "off" for none. Certificates by ACME need it to be reachable as port 443.
	ListenTLS string `yaml:"listen_tls"`
	// MaxConnections bounds the open connections; 50,000 by default. One more is closed at once.
	MaxConnections int `yaml:"max_connections"`
	// MaxWaiting bounds the requests that wait for a part or a playlist at a time; 50,000 by default.
	// One more is answered 503.
	MaxWaiting int `yaml:"max_waiting"`
	// MaxWaitingPerShow is the same for one show, so that it cannot starve the others; 20,000 by default.
	MaxWaitingPerShow int `yaml:"max_waiting_per_show"`
	// MaxListeners bounds the connections that listen to cue events at a time; 20,000 by default. One more
	// is answered 503: cues.json says the same, a second later.
	MaxListeners int `yaml:"max_listeners"`
	// MaxListenersPerShow is the same for one show; 10,000 by default.
	MaxListenersPerShow int `yaml:"max_listeners_per_show"`
	// MaxStreamsPerConnection bounds the requests in progress on one HTTP/2 connection; 250 by default.
	MaxStreamsPerConnection int `yaml:"max_streams_per_connection"`
	// MinRate is the slowest reader that is waited for, in bytes a second; 16,384 by default. A response
	// gets ten seconds and as long as it takes at that rate, then the connection is given up.
	MinRate int `yaml:"min_rate"`
}

// Off is the value of a listen address for no listener.
const Off = "off"

// Bounds and defaults of a Config.
const (
	defaultListen            = ":8080"
	defaultListenTLS         = ":8443"
	defaultMaxConnections    = 50_000
	defaultMaxWaiting        = 50_000
	defaultMaxWaitingPerShow = 20_000
	defaultMaxListeners      = 20_000
	defaultMaxListenersShow  = 10_000
	defaultMaxStreams        = 250
	defaultMinRate           = 16 << 10

	maxMaxConnections = 1 << 24
	maxMaxStreams     = 10_000
	maxMinRate        = 1 << 30
)

// Limits that nobody has asked to configure yet.
const (
	// maxHeaderBytes bounds the request line and headers. CDNs add a few hundred bytes; browsers send
	// cookies of the host's domain, whether we want them or not.
	maxHeaderBytes = 16 << 10
	// headerTimeout bounds the time from a connection's (next) first byte to the end of the headers,
	// and a TLS handshake.
	headerTimeout = 10 * time.Second
	// idleTimeout closes a connection without requests. CDNs keep theirs for about a minute.
	idleTimeout = 75 * time.Second
	// writeTimeout is what any response may take to write, on top of its size at Config.MinRate.
	writeTimeout = 10 * time.Second
	// pingTimeout is how long an HTTP/2 peer may be silent before it is asked, and then not answer.
	pingTimeout = 30 * time.Second
	// drainTimeout bounds Run's way out: responses in progress may end, then connections are closed.
	drainTimeout = 5 * time.Second
)

// WithDefaults returns c with its zero values filled in: what an operator gets who writes nothing.
func (c Config) WithDefaults() Config {
	text := func(p *string, def string) {
		if *p == "" {
			*p = def
		}
	}
	number := func(p *int, def int) {
		if *p == 0 {
			*p = def
		}
	}
	text(&c.Listen, defaultListen)
	text(&c.ListenTLS, defaultListenTLS)
	number(&c.MaxConnections, defaultMaxConnections)
	number(&c.MaxWaiting, defaultMaxWaiting)
	number(&c.MaxWaitingPerShow, defaultMaxWaitingPerShow)
	number(&c.MaxListeners, defaultMaxListeners)
	number(&c.MaxListenersPerShow, defaultMaxListenersShow)
	number(&c.MaxStreamsPerConnection, defaultMaxStreams)
	number(&c.MinRate, defaultMinRate)
	return c
}

// Validate checks the bounds. Its errors name the key and say what is allowed.
func (c Config) Validate() error {
	c = c.WithDefaults()
	for _, a := range []struct{ key, addr string }{
		{"origin.listen", c.Listen},
		{"origin.listen_tls", c.ListenTLS},
	} {
		if err := checkAddress(a.addr); err != nil {
			return fmt.Errorf(`%s is %q: it must be "host:port", ":port" or "off"`, a.key, a.addr)
		}
	}
	for _, n := range []struct {
		key       string
		val, most int
	}{
		{"origin.max_connections", c.MaxConnections, maxMaxConnections},
		{"origin.max_waiting", c.MaxWaiting, maxMaxConnections},
		{"origin.max_waiting_per_show", c.MaxWaitingPerShow, maxMaxConnections},
		{"origin.max_listeners", c.MaxListeners, maxMaxConnections},
		{"origin.max_listeners_per_show", c.MaxListenersPerShow, maxMaxConnections},
		{"origin.max_streams_per_connection", c.MaxStreamsPerConnection, maxMaxStreams},
		{"origin.min_rate", c.MinRate, maxMinRate},
	} {
		if n.val < 1 || n.val > n.most {
			return fmt.Errorf("%s is %d: it must be between 1 and %d", n.key, n.val, n.most)
		}
	}
	return nil
}

// checkAddress accepts what net.Listen takes for TCP, without resolving a host's name.
func checkAddress(addr string) error {
	if addr == Off {
		return nil
	}
	_, port, err := net.SplitHostPort(addr)
	if err != nil {
		return err
	}
	_, err = net.LookupPort("tcp", port)
	return err
}
