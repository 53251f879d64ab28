package rtmp

import (
	"bufio"
	"crypto/tls"
	"encoding/binary"
	"errors"
	"io"
	"log/slog"
	"net"
	"os"
	"time"

	"pushcart/ingest"
	"pushcart/ingest/lobby"
	"pushcart/ingest/rtmp/chunk"
)

// conn is one connection. All its methods run in its own goroutine.
type conn struct {
	server   *Server
	place    *lobby.Conn // in the lobby; others may end it
	nc       net.Conn    // the same, or TLS on it
	protocol string

	meter    *meter
	in       *chunk.Reader
	out      []byte // scratch for answers
	sendSize int    // of chunks

	app, tcURL, agent string
	connected         bool
	streams           uint32 // message streams made
	feed              *feed  // nil unless publishing
	stream            uint32 // the message stream that it publishes on
	saidGoodbye       bool   // it has published and ended that by itself
	deadlineSet       time.Time
}

var errGoodbye = errors.New("goodbye")

// newConn serves who has come into the lobby, with TLS if there is a configuration for it.
func newConn(s *Server, place *lobby.Conn, conf *tls.Config) *conn {
	c := &conn{server: s, place: place, nc: place, protocol: "rtmp", sendSize: chunk.DefaultSize}
	if conf != nil {
		c.nc, c.protocol = tls.Server(place, conf), "rtmps"
	}
	c.meter = &meter{conn: c, left: budgetBeforePublish}
	return c
}

// serve leads the connection from its first byte to its end.
func (c *conn) serve() {
	defer c.nc.Close()
	err := c.run()
	why := c.place.Why()
	if why != nil {
		err = why
	}
	published := c.feed != nil
	c.unpublish(c.ending(err))
	if why != nil {
		c.sayWhy(why)
	}
	switch {
	case published || c.saidGoodbye || errors.Is(err, errGoodbye):
		// The session logs how it ended.
	case err == io.EOF:
		c.server.Log.Debug("rtmp: connection closed before anything was published", "remote", c.place.Remote)
	default:
		c.server.lobby.Noise.Log(slog.LevelInfo, "rtmp: connection ended before anything was published",
			"remote", c.place.Remote, "agent", c.agent, "why", c.ending(err))
	}
}

func (c *conn) run() error {
	src := bufio.NewReaderSize(c.meter, pendingBuffer)
	c.setDeadline(c.server.conf.HandshakeTimeout)
	err := handshake(struct {
		io.Reader
		io.Writer
	}{src, writer{c}})
	if err != nil {
		return err
	}
	c.setDeadline(c.server.conf.PublishTimeout)
	c.in = chunk.NewReader(src, limitsBeforePublish)
	for {
		m, err := c.in.Next()
		if err != nil {
			return err
		}
		if c.feed != nil {
			c.feed.skipped(c.in.Skipped())
		}
		if err := c.message(m); err != nil {
			return err
		}
		if c.feed == nil {
			continue
		}
		if now := time.Now(); now.Sub(c.deadlineSet) > time.Second {
			c.setDeadline(c.server.conf.IdleTimeout)
		}
		if src.Size() < publishingBuffer {
			src = bufio.NewReaderSize(src, publishingBuffer)
			c.in.SetSource(src)
		}
	}
}

// message acts on one message. An error ends the connection.
func (c *conn) message(m chunk.Message) error {
	switch m.Type {
	case chunk.TypeAudio, chunk.TypeVideo, chunk.TypeAggregate, chunk.TypeDataAMF0, chunk.TypeDataAMF3:
		if c.feed == nil {
			return nil
		}
		return c.media(m)
	case chunk.TypeCommandAMF0:
		return c.command(m.Stream, m.Data)
	case chunk.TypeCommandAMF3:
		return c.command(m.Stream, stripAMF3(m.Data))
	case chunk.TypeUserControl:
		return c.userControl(m.Data)
	case chunk.TypeWindowAckSize:
		if len(m.Data) >= 4 {
			c.meter.setWindow(binary.BigEndian.Uint32(m.Data))
		}
	case chunk.TypePeerBandwidth:
		return c.send(windowAckSize())
	}
	// Acknowledgements are of no use to one who hardly sends; shared objects and makers' own types are
	// not ours.
	return nil
}

// media feeds the session. When that has ended, or nothing of what the host sends can be carried, the
// host is told so.
func (c *conn) media(m chunk.Message) error {
	err := c.feed.message(m)
	switch {
	case err == nil:
		return nil
	case errors.As(err, new(*ingest.Refusal)):
		c.unpublish(err)
		return c.refuse(c.stream, codePublishDenied, err)
	}
	c.place.End(err)
	return err
}

// stripAMF3 removes what the AMF3 forms of command and data messages have in front: a zero, for AMF0.
func stripAMF3(b []byte) []byte {
	if len(b) > 0 && b[0] == 0 {
		return b[1:]
	}
	return b
}

// User control events, RTMP 1.0 section 7.1.7.
const (
	eventStreamBegin  = 0
	eventPingRequest  = 6
	eventPingResponse = 7
)

func (c *conn) userControl(b []byte) error {
	if len(b) >= 6 && binary.BigEndian.Uint16(b) == eventPingRequest {
		return c.send(userControl(eventPingResponse, binary.BigEndian.Uint32(b[2:])))
	}
	return nil
}

// setDeadline gives reading until d from now, unless the connection is to end.
func (c *conn) setDeadline(d time.Duration) {
	c.deadlineSet = time.Now()
	c.place.ReadUntil(c.deadlineSet.Add(d))
}

// ending says in the session's words why a connection ended.
func (c *conn) ending(err error) error {
	switch {
	case err == nil || errors.Is(err, errGoodbye):
		return nil
	case errors.Is(err, os.ErrDeadlineExceeded) && c.feed != nil:
		return errors.New("nothing has come from the host for " + c.server.conf.IdleTimeout.String())
	case errors.Is(err, os.ErrDeadlineExceeded) && c.in != nil:
		return errors.New("it did not publish within " + c.server.conf.PublishTimeout.String())
	case errors.Is(err, os.ErrDeadlineExceeded):
		return errors.New("its handshake took longer than " + c.server.conf.HandshakeTimeout.String())
	case err == io.EOF, err == io.ErrUnexpectedEOF:
		return errors.New("the connection was closed without a goodbye")
	}
	return err
}

// sayWhy tells a client, if it understands yet, why the server ends its connection.
func (c *conn) sayWhy(why error) {
	if c.connected {
		c.send(onStatus(c.stream, "error", codeConnectClosed, why.Error()))
		c.hangUp()
	}
}

// hangUp closes the connection so that what was sent last arrives: closing a socket with unread bytes
// would make the kernel throw away both directions.
func (c *conn) hangUp() {
	const (
		lingerTime  = time.Second
		lingerBytes = 1 << 20
	)
	if half, ok := c.nc.(interface{ CloseWrite() error }); ok && half.CloseWrite() == nil {
		c.nc.SetReadDeadline(time.Now().Add(lingerTime))
		io.CopyN(io.Discard, c.nc, lingerBytes)
	}
}

// publishing begins to feed pub.
func (c *conn) publishing(pub ingest.Publisher, stream uint32) {
	c.stream, c.saidGoodbye = stream, false
	c.feed = newFeed(pub, c)
	c.in.Limits = limitsPublishing
	c.meter.left = -1
	c.setDeadline(c.server.conf.IdleTimeout)
	c.place.Publishes()
	c.server.publishing.Add(1)
}

// unpublish ends it, if it publishes. The connection then has to publish again within the time and
// bytes of a new one.
func (c *conn) unpublish(why error) {
	if c.feed == nil {
		return
	}
	c.feed.close(why)
	c.feed = nil
	c.saidGoodbye = why == nil
	c.in.Limits = limitsBeforePublish
	c.meter.left = budgetBeforePublish
	c.setDeadline(c.server.conf.PublishTimeout)
	c.place.Waits()
	c.server.publishing.Add(-1)
}
