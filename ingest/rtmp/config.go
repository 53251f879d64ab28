package rtmp

import (
	"fmt"
	"time"

	"pushcart/ingest/rtmp/chunk"
)

// Config is the RTMP door's part of the configuration. The zero value is usable.
type Config struct {
	// Listen is the address for plain RTMP, or "off"; ":1935" by default.
	Listen string `yaml:"listen"`
	// ListenTLS is the address for RTMPS, or "off". It is served only where a certificate is configured;
	// ":1936" by default.
	ListenTLS string `yaml:"listen_tls"`

	// MaxConnections bounds the connections in all; 4,096 by default.
	MaxConnections int `yaml:"max_connections"`
	// MaxConnectionsPerAddress bounds those from one IPv4 address or one IPv6 /64; 512 by default,
	// since an agency's hosts may all be behind one address.
	MaxConnectionsPerAddress int `yaml:"max_connections_per_address"`
	// MaxPending bounds the connections that do not publish yet; 512 by default. When there are more,
	// the oldest makes room of the address that has the most of them.
	MaxPending int `yaml:"max_pending"`

	// HandshakeTimeout is for TLS and the RTMP handshake together; 10 s by default.
	HandshakeTimeout time.Duration `yaml:"handshake_timeout"`
	// PublishTimeout is the time from there until publishing begins; 15 s by default.
	PublishTimeout time.Duration `yaml:"publish_timeout"`
	// IdleTimeout is how long a host may send no complete message; 30 s by default.
	IdleTimeout time.Duration `yaml:"idle_timeout"`
	// WriteTimeout bounds each answer; 5 s by default.
	WriteTimeout time.Duration `yaml:"write_timeout"`
}

// WithDefaults returns c with every zero replaced by its default.
func (c Config) WithDefaults() Config {
	def(&c.Listen, ":1935")
	def(&c.ListenTLS, ":1936")
	def(&c.MaxConnections, 4096)
	def(&c.MaxConnectionsPerAddress, 512)
	def(&c.MaxPending, 512)
	def(&c.HandshakeTimeout, 10*time.Second)
	def(&c.PublishTimeout, 15*time.Second)
	def(&c.IdleTimeout, 30*time.Second)
	def(&c.WriteTimeout, 5*time.Second)
	return c
}

func def[T comparable](v *T, d T) {
	if *v == *new(T) {
		*v = d
	}
}

// Validate checks the bounds. Its errors name the key.
func (c Config) Validate() error {
	for _, n := range []struct {
		key   string
		value int
	}{
		{"max_connections", c.MaxConnections},
		{"max_connections_per_address", c.MaxConnectionsPerAddress},
		{"max_pending", c.MaxPending},
	} {
		if n.value < 0 {
			return fmt.Errorf("%s is %d: it must be at least 1", n.key, n.value)
		}
	}
	for _, d := range []struct {
		key   string
		value time.Duration
	}{
		{"handshake_timeout", c.HandshakeTimeout},
		{"publish_timeout", c.PublishTimeout},
		{"idle_timeout", c.IdleTimeout},
		{"write_timeout", c.WriteTimeout},
	} {
		if d.value < 0 || d.value > maxTimeout {
			return fmt.Errorf("%s is %v: it must be above 0 and at most %v", d.key, d.value, maxTimeout)
		}
	}
	return nil
}

// Limits of one connection. They are far above what encoders send, and low enough that a stranger
// gets nothing for free.
const (
	maxTimeout = time.Hour

	// budgetBeforePublish is what a connection may send, handshake included, until it publishes.
	budgetBeforePublish = 64 << 10
	// maxNameLength bounds app, key and query, each.
	maxNameLength = 512
	// maxAgentLength is where an encoder's name for itself is cut.
	maxAgentLength = 128
	// maxMessageStreams is the number of createStream calls that are answered.
	maxMessageStreams = 64
	// maxTracks bounds the tracks of one publish.
	maxTracks = 32
	// maxConfigSize bounds a decoder configuration, in bytes.
	maxConfigSize = 16 << 10

	pendingBuffer    = 4 << 10  // socket reads before publish
	publishingBuffer = 16 << 10 // and after
)

// limitsBeforePublish admit commands and skip media, such as frames still under way after a host has
// said goodbye.
var limitsBeforePublish = chunk.Limits{
	Control:  64,
	Command:  16 << 10,
	Data:     16 << 10,
	Buffered: 32 << 10,
	SkipLong: true,
}

// limitsPublishing leave room for keyframes ten times the size of those of a 4K stream at 50 Mb/s.
var limitsPublishing = chunk.Limits{
	Control:  64,
	Command:  16 << 10,
	Data:     128 << 10,
	Audio:    256 << 10,
	Video:    8 << 20,
	Buffered: 12 << 20,
	SkipLong: true,
}
