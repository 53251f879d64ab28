package rtsp

import (
	"errors"
	"fmt"
	"net"
	"strconv"
	"time"
)

// Off is the value of an address for no listener.
const Off = "off"

// Config is the RTSP door's part of the configuration. The zero value is usable.
type Config struct {
	// Listen is the address for plain RTSP, or "off"; ":8554" by default.
	Listen string `yaml:"listen"`
	// ListenTLS is the address for RTSPS, or "off". It is served only where a certificate is configured;
	// ":8322" by default.
	ListenTLS string `yaml:"listen_tls"`
	// UDP is the address at which RTP comes by UDP, or "off"; its port is even, and RTCP has the next.
	// ":8554" by default. It needs Listen.
	UDP string `yaml:"udp"`

	// MaxConnections bounds the connections in all; 2,048 by default.
	MaxConnections int `yaml:"max_connections"`
	// MaxConnectionsPerAddress bounds those from one IPv4 address or one IPv6 /64; 256 by default.
	MaxConnectionsPerAddress int `yaml:"max_connections_per_address"`
	// MaxPending bounds the connections that do not publish yet; 256 by default. When there are more, the
	// oldest makes room of the address that has the most of them.
	MaxPending int `yaml:"max_pending"`

	// PublishTimeout is the time from connecting until RECORD; 15 s by default.
	PublishTimeout time.Duration `yaml:"publish_timeout"`
	// IdleTimeout is how long a host may send nothing; 30 s by default.
	IdleTimeout time.Duration `yaml:"idle_timeout"`
	// WriteTimeout bounds each answer; 5 s by default.
	WriteTimeout time.Duration `yaml:"write_timeout"`
	// Reorder is how long a packet that is missing on UDP is waited for; 150 ms by default.
	Reorder time.Duration `yaml:"reorder"`
	// Date is what the program date-time of shows that are published here follows; arrival by default.
	Date Date `yaml:"date"`
}

// WithDefaults returns c with every zero replaced by its default.
func (c Config) WithDefaults() Config {
	def(&c.Listen, ":8554")
	def(&c.ListenTLS, ":8322")
	def(&c.UDP, ":8554")
	def(&c.MaxConnections, 2048)
	def(&c.MaxConnectionsPerAddress, 256)
	def(&c.MaxPending, 256)
	def(&c.PublishTimeout, 15*time.Second)
	def(&c.IdleTimeout, 30*time.Second)
	def(&c.WriteTimeout, 5*time.Second)
	def(&c.Reorder, defaultReorder)
	def(&c.Date, DateArrival)
	return c
}

// defaultReorder is how long a missing packet is waited for.
const defaultReorder = 150 * time.Millisecond

func def[T comparable](v *T, d T) {
	if *v == *new(T) {
		*v = d
	}
}

// Bounds of a Config.
const (
	maxTimeout = time.Hour
	maxReorder = time.Second
)

// Validate reports everything that is wrong with c, joined. Each error begins with its key.
func (c Config) Validate() error {
	var errs []error
	for _, n := range []struct {
		key   string
		value int
	}{
		{"max_connections", c.MaxConnections},
		{"max_connections_per_address", c.MaxConnectionsPerAddress},
		{"max_pending", c.MaxPending},
	} {
		if n.value < 0 {
			errs = append(errs, fmt.Errorf("%s is %d: it must be at least 1", n.key, n.value))
		}
	}
	for _, d := range []struct {
		key         string
		value, most time.Duration
	}{
		{"publish_timeout", c.PublishTimeout, maxTimeout},
		{"idle_timeout", c.IdleTimeout, maxTimeout},
		{"write_timeout", c.WriteTimeout, maxTimeout},
		{"reorder", c.Reorder, maxReorder},
	} {
		if d.value < 0 || d.value > d.most {
			errs = append(errs, fmt.Errorf("%s is %v: it must be above 0 and at most %v", d.key, d.value, d.most))
		}
	}
	if err := checkUDP(c.UDP); err != nil {
		errs = append(errs, err)
	}
	if err := checkDate("date", c.Date); err != nil {
		errs = append(errs, err)
	}
	return errors.Join(errs...)
}

// checkUDP: gaps between the ports of RTP and RTCP would need a key of their own.
func checkUDP(addr string) error {
	if addr == "" || addr == Off {
		return nil
	}
	_, port, err := net.SplitHostPort(addr)
	if err != nil {
		return fmt.Errorf(`udp is %q: it must be "host:port", ":port" or "off"`, addr)
	}
	n, err := strconv.Atoi(port)
	if err != nil || n < 2 || n > 65534 || n%2 != 0 {
		return fmt.Errorf("udp has the port %q: it must be an even number, since RTCP takes the next one", port)
	}
	return nil
}

func checkDate(key string, d Date) error {
	switch d {
	case "", DateArrival, DateSender:
		return nil
	}
	return fmt.Errorf(`%s is %q: it must be "arrival" or "sender"`, key, string(d))
}

// Limits of one connection. They are far above what encoders send.
const (
	// budgetBeforeRecord is what a connection may send until it publishes: an SDP, a few requests with
	// credentials.
	budgetBeforeRecord = 96 << 10
	// maxAnnounces is how often a connection may try: without credentials, with them, once more.
	maxAnnounces = 4
	// maxNameLength bounds key and query, each.
	maxNameLength = 512
	// maxAgentLength is where an encoder's name for itself is cut.
	maxAgentLength = 128
	// maxReason is where a reason phrase is cut: ffmpeg reads 200 bytes, gortsplib 255.
	maxReason = 190
	// udpBuffer is what is asked of the kernel for the two UDP sockets, which all hosts share.
	udpBuffer = 8 << 20
)
