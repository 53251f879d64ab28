// Package rtmptest is an RTMP publisher for tests. It sends what it is told to, well-formed or not, in
// any of the ways that encoders have, and does not share the server's chunk or handshake code: the two
// check each other.
package rtmptest

import (
	"bufio"
	"context"
	"crypto/tls"
	"encoding/binary"
	"fmt"
	"net"
	"net/url"
	"strings"
	"sync"
	"time"

	"pushcart/ingest/rtmp/amf"
)

// Options are an encoder's habits. The zero value is an ordinary one.
type Options struct {
	// Digest chooses the handshake: 0 is the simple one, 1 and 2 those with a digest, by the scheme
	// that has it in the first or in the second half.
	Digest int
	// ChunkSize is set after connect; 4,096 by default.
	ChunkSize int
	// OmitRepeatedTime leaves the extended timestamp out of continuation chunks, as old librtmp does.
	OmitRepeatedTime bool
	// AMF3 sends commands and data messages in their AMF3 wrapper.
	AMF3 bool
	// Connect has further members for the connect command's object.
	Connect amf.Object
	// TLS is used for rtmps URLs.
	TLS *tls.Config
	// Local is the address to dial from, if not nil.
	Local net.Addr
}

// timeout bounds every wait for the server. It is for tests on busy machines, and measures nothing.
const timeout = time.Minute

// Status is what the server said in onStatus, or in answer to connect.
type Status struct{ Level, Code, Description string }

// Refused is the error of a publish that the server turned down.
type Refused Status

// Error returns code and description.
func (r *Refused) Error() string { return r.Code + ": " + r.Description }

// Client is one connection. Its Write methods are for one goroutine.
type Client struct {
	// ConnectResult holds the objects of the answer to connect.
	ConnectResult []amf.Object

	options   Options
	nc        net.Conn
	app, key  string
	tcURL     string
	chunkSize int
	out       []byte
	stream    uint32

	answers chan answer
	status  chan Status

	mu   sync.Mutex
	acks []uint32 // guarded by mu
	err  error    // guarded by mu: why reading ended
	pong chan uint32
}

type answer struct {
	name        string
	transaction float64
	args        []any
}

// Dial connects to an address like rtmp://HOST/live/KEY?QUERY and gets as far as an answer to connect.
// A *Refused says that it was an error.
func Dial(ctx context.Context, address string, o Options) (*Client, error) {
	u, err := url.Parse(address)
	if err != nil {
		return nil, err
	}
	app, key, _ := strings.Cut(strings.TrimPrefix(u.Path, "/"), "/")
	if u.RawQuery != "" {
		key += "?" + u.RawQuery
	}
	host := u.Host
	if u.Port() == "" {
		host = net.JoinHostPort(u.Hostname(), "1935")
	}
	d := net.Dialer{Timeout: timeout, LocalAddr: o.Local}
	nc, err := d.DialContext(ctx, "tcp", host)
	if err != nil {
		return nil, err
	}
	if u.Scheme == "rtmps" {
		conf := o.TLS.Clone()
		if conf.ServerName == "" {
			conf.ServerName = u.Hostname()
		}
		nc = tls.Client(nc, conf)
	}
	if o.ChunkSize == 0 {
		o.ChunkSize = 4096
	}
	c := &Client{
		options: o, nc: nc, app: app, key: key, tcURL: u.Scheme + "://" + u.Host + "/" + app, chunkSize: 128,
		answers: make(chan answer, 64), status: make(chan Status, 64), pong: make(chan uint32, 64),
	}
	if err := c.connect(); err != nil {
		nc.Close()
		return nil, err
	}
	return c, nil
}

// Publish dials and publishes.
func Publish(ctx context.Context, address string, o Options) (*Client, error) {
	c, err := Dial(ctx, address, o)
	if err != nil {
		return nil, err
	}
	if err := c.Publish(); err != nil {
		c.Kill()
		return nil, err
	}
	return c, nil
}

func (c *Client) connect() error {
	c.nc.SetDeadline(time.Now().Add(timeout))
	src := bufio.NewReader(c.nc)
	if err := handshake(src, c.nc, c.options.Digest); err != nil {
		return fmt.Errorf("handshake: %w", err)
	}
	c.nc.SetDeadline(time.Time{})
	go c.read(src)
	object := append(amf.Object{
		{Name: "app", Value: c.app},
		{Name: "type", Value: "nonprivate"},
		{Name: "flashVer", Value: "FMLE/3.0 (compatible; rtmptest)"},
		{Name: "tcUrl", Value: c.tcURL},
	}, c.options.Connect...)
	if err := c.Command(0, "connect", 1, object); err != nil {
		return err
	}
	a, err := c.answer(1)
	if err != nil {
		return err
	}
	for _, v := range a.args {
		if o := amf.Members(v); o != nil {
			c.ConnectResult = append(c.ConnectResult, o)
		}
	}
	if a.name == "_error" {
		return &Refused{Level: "error", Code: c.last("code"), Description: c.last("description")}
	}
	c.SetChunkSize(uint32(c.options.ChunkSize))
	return nil
}

func (c *Client) last(name string) string {
	if n := len(c.ConnectResult); n > 0 {
		return c.ConnectResult[n-1].String(name)
	}
	return ""
}

// Publish publishes as OBS does: releaseStream, FCPublish, createStream, publish. A *Refused says that the
// server does not want it.
func (c *Client) Publish() error {
	if err := c.Command(0, "releaseStream", 2, nil, c.key); err != nil {
		return err
	}
	if err := c.Command(0, "FCPublish", 3, nil, c.key); err != nil {
		return err
	}
	if err := c.Command(0, "createStream", 4, nil); err != nil {
		return err
	}
	a, err := c.answer(4)
	if err != nil {
		return err
	}
	if n := len(a.args); n > 0 {
		id, _ := a.args[n-1].(float64)
		c.stream = uint32(id)
	}
	if err := c.Command(c.stream, "publish", 5, nil, c.key, "live"); err != nil {
		return err
	}
	s, err := c.Status()
	if err == nil && s.Level == "error" {
		err = (*Refused)(&s)
	}
	return err
}

// Status waits for the next onStatus.
func (c *Client) Status() (Status, error) {
	select {
	case s, ok := <-c.status:
		if !ok {
			return s, c.readError()
		}
		return s, nil
	case <-time.After(timeout):
		return Status{}, fmt.Errorf("no onStatus within %v", timeout)
	}
}

// Closed waits until the server has closed the connection.
func (c *Client) Closed() error {
	for {
		if _, err := c.Status(); err != nil {
			c.mu.Lock()
			defer c.mu.Unlock()
			if c.err == nil {
				return err
			}
			return nil
		}
	}
}

func (c *Client) answer(transaction float64) (answer, error) {
	deadline := time.After(timeout)
	for {
		select {
		case a, ok := <-c.answers:
			if !ok {
				return a, c.readError()
			}
			if a.transaction == transaction {
				return a, nil
			}
		case <-deadline:
			return answer{}, fmt.Errorf("no answer to transaction %v within %v", transaction, timeout)
		}
	}
}

func (c *Client) readError() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	return fmt.Errorf("the server has closed the connection: %w", c.err)
}

// Acks returns the sequence numbers that the server has acknowledged so far.
func (c *Client) Acks() []uint32 {
	c.mu.Lock()
	defer c.mu.Unlock()
	return append([]uint32(nil), c.acks...)
}

// Ping sends a ping request and waits for its response.
func (c *Client) Ping(stamp uint32) error {
	b := binary.BigEndian.AppendUint32([]byte{0, 6}, stamp)
	if err := c.Message(2, typeUserControl, 0, 0, b); err != nil {
		return err
	}
	select {
	case got := <-c.pong:
		if got != stamp {
			return fmt.Errorf("ping %d was answered with %d", stamp, got)
		}
		return nil
	case <-time.After(timeout):
		return fmt.Errorf("no pong within %v", timeout)
	}
}

// Goodbye unpublishes as OBS does and closes the connection.
func (c *Client) Goodbye() error {
	c.Command(0, "FCUnpublish", 6, nil, c.key)
	err := c.Command(0, "deleteStream", 7, nil, float64(c.stream))
	c.Kill()
	return err
}

// Kill closes the connection without a word.
func (c *Client) Kill() { c.nc.Close() }
