package rtsp

import (
	"errors"
	"fmt"
	"net"
	"os"
	"sync"
	"time"

	"pushcart/ingest/lobby"
)

// listener is what gortsplib accepts from: the lobby, which lets in only so many. gortsplib has no limits for
// strangers.
type listener struct {
	net.Listener
	server *Server
}

// Accept returns the next connection that may come in. Its error is final.
func (l listener) Accept() (net.Conn, error) {
	for {
		place, err := l.server.lobby.Accept(l.Listener)
		if err != nil {
			return nil, err
		}
		if _, ok := place.RemoteAddr().(*net.TCPAddr); ok {
			return newConn(place, l.server), nil
		}
		place.Close() // gortsplib knows no others
	}
}

// conn is one connection, with deadlines and a budget of its own: those that gortsplib sets are not heard.
type conn struct {
	*lobby.Conn
	server *Server

	mu       sync.Mutex
	phase    phase     // guarded by mu
	deadline time.Time // of reading, as it is set; guarded by mu
	budget   int64     // bytes left until it publishes; guarded by mu
}

// phase is what a connection is for at present.
type phase uint8

const (
	pending     phase = iota // nobody publishes on it yet, or any more
	interleaved              // it carries media
	beside                   // media come by UDP
)

func newConn(place *lobby.Conn, s *Server) *conn {
	c := &conn{Conn: place, server: s}
	c.enter(pending)
	return c
}

// enter begins a phase.
func (c *conn) enter(p phase) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.phase, c.budget = p, budgetBeforeRecord
	switch p {
	case pending:
		c.setDeadline(time.Now().Add(c.server.conf.PublishTimeout))
	case interleaved:
		c.setDeadline(time.Now().Add(c.server.conf.IdleTimeout))
	case beside:
		c.setDeadline(time.Time{}) // the feed knows when a host has gone
	}
}

// setDeadline is for reading. c.mu is held.
func (c *conn) setDeadline(t time.Time) {
	c.deadline = t
	c.ReadUntil(t)
}

// SetReadDeadline does nothing.
func (c *conn) SetReadDeadline(time.Time) error { return nil }

// SetDeadline does nothing.
func (c *conn) SetDeadline(time.Time) error { return nil }

// Read reads, within the time and the budget of the phase.
func (c *conn) Read(b []byte) (int, error) {
	n, err := c.Conn.Read(b)
	c.server.bytes.Add(int64(n))
	c.mu.Lock()
	defer c.mu.Unlock()
	if err != nil {
		c.End(c.ending(err))
		return n, err
	}
	switch c.phase {
	case pending:
		if c.budget -= int64(n); c.budget < 0 {
			c.End(errBudget)
			return 0, errBudget
		}
	case interleaved:
		const often = time.Second // setting a timer for every packet would cost more than the packet
		if d := time.Now().Add(c.server.conf.IdleTimeout); d.Sub(c.deadline) > often {
			c.setDeadline(d)
		}
	}
	return n, nil
}

// ending says in the session's words why the connection can't be read any more. c.mu is held.
func (c *conn) ending(err error) error {
	switch {
	case !errors.Is(err, os.ErrDeadlineExceeded):
		return err
	case c.phase == pending:
		return errors.New("it did not publish within " + c.server.conf.PublishTimeout.String())
	}
	return errIdle(c.server.conf.IdleTimeout)
}

// errIdle is why a host is given up who sends nothing. It wraps errNothing.
func errIdle(d time.Duration) error { return fmt.Errorf("%w for %v", errNothing, d) }
