package rtsp

import (
	"errors"
	"net"
	"net/netip"
	"os"
	"sync"
	"time"
)

// conn is one connection, with deadlines and a budget of its own: those that gortsplib sets are not heard.
type conn struct {
	net.Conn
	lobby   *lobby
	remote  netip.AddrPort
	address netip.Prefix // what it counts under in the lobby

	mu       sync.Mutex
	phase    phase     // guarded by mu
	deadline time.Time // of reading, as it is set; guarded by mu
	budget   int64     // bytes left; guarded by mu
	why      error     // it is to end, or has ended; guarded by mu
}

// phase is what a connection is for at present.
type phase uint8

const (
	pending     phase = iota // nobody publishes on it yet, or any more
	interleaved              // it carries media
	beside                   // media come by UDP
)

func newConn(nc net.Conn, l *lobby) *conn {
	c := &conn{Conn: nc, lobby: l}
	c.remote, _ = netip.ParseAddrPort(nc.RemoteAddr().String())
	c.address = limitAddress(c.remote.Addr())
	c.enter(pending)
	return c
}

// enter begins a phase.
func (c *conn) enter(p phase) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.phase, c.budget = p, budgetBeforeRecord
	if c.why != nil {
		return
	}
	switch p {
	case pending:
		c.setDeadline(time.Now().Add(c.lobby.conf.PublishTimeout))
	case interleaved:
		c.setDeadline(time.Now().Add(c.lobby.conf.IdleTimeout))
	case beside:
		c.setDeadline(time.Time{}) // the feed knows when a host has gone
	}
}

// setDeadline is for reading. c.mu is held.
func (c *conn) setDeadline(t time.Time) {
	c.deadline = t
	c.Conn.SetReadDeadline(t)
}

// SetReadDeadline does nothing.
func (c *conn) SetReadDeadline(time.Time) error { return nil }

// SetDeadline does nothing.
func (c *conn) SetDeadline(time.Time) error { return nil }

// Read reads, within the time and the budget of the phase.
func (c *conn) Read(b []byte) (int, error) {
	n, err := c.Conn.Read(b)
	c.lobby.server.bytes.Add(int64(n))
	c.mu.Lock()
	defer c.mu.Unlock()
	if err != nil {
		c.ended(err)
		return n, err
	}
	if c.phase == interleaved {
		const often = time.Second // setting a timer for every packet would cost more than the packet
		if d := time.Now().Add(c.lobby.conf.IdleTimeout); d.Sub(c.deadline) > often {
			c.setDeadline(d)
		}
		return n, nil
	}
	if c.budget -= int64(n); c.budget < 0 {
		c.ended(errBudget)
		return 0, errBudget
	}
	return n, nil
}

// ended notes why the connection can't be read any more. c.mu is held.
func (c *conn) ended(err error) {
	if c.why != nil {
		return
	}
	switch {
	case !errors.Is(err, os.ErrDeadlineExceeded):
		c.why = err
	case c.phase == pending:
		c.why = errors.New("it did not publish within " + c.lobby.conf.PublishTimeout.String())
	default:
		c.why = errIdle(c.lobby.conf.IdleTimeout)
	}
}

// errIdle is why a host is given up who sends nothing.
func errIdle(d time.Duration) error {
	return errors.New("nothing has come from the host for " + d.String())
}

// reason returns why the connection ended, nil if nothing is known.
func (c *conn) reason() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.why
}

// end makes the connection end. It does not wait, and may be called from any goroutine.
func (c *conn) end(why error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.why == nil {
		c.why = why
		c.Conn.SetReadDeadline(time.Unix(1, 0))
	}
}

// Close closes it.
func (c *conn) Close() error {
	c.lobby.leave(c)
	return c.Conn.Close()
}

func isClosed(err error) bool { return errors.Is(err, net.ErrClosed) }
