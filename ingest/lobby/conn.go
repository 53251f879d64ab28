package lobby

import (
	"container/list"
	"errors"
	"net"
	"net/netip"
	"sync"
	"time"
)

// Conn is a connection in a lobby, which it leaves when it is closed. Its methods are safe for concurrent use.
type Conn struct {
	net.Conn
	// Remote is where it comes from; zero if that is no address and port.
	Remote netip.AddrPort

	lobby   *Lobby
	address netip.Prefix  // what it counts under
	inside  bool          // guarded by lobby.mu: it counts
	tally   *tally        // guarded by lobby.mu: where
	place   *list.Element // guarded by lobby.mu: among those that have to make room

	mu  sync.Mutex
	why error // guarded by mu
}

func newConn(nc net.Conn, l *Lobby) *Conn {
	c := &Conn{Conn: nc, lobby: l}
	c.Remote, _ = netip.ParseAddrPort(nc.RemoteAddr().String())
	c.address = limitAddress(c.Remote.Addr())
	return c
}

// Publishes says that a host was let in on c: it need not make room for others.
func (c *Conn) Publishes() {
	c.lobby.mu.Lock()
	defer c.lobby.mu.Unlock()
	c.lobby.unseat(c)
}

// Waits says that nobody publishes on c any more.
func (c *Conn) Waits() {
	c.lobby.mu.Lock()
	defer c.lobby.mu.Unlock()
	if c.inside && c.place == nil {
		c.lobby.seat(c)
	}
}

// ReadUntil sets the deadline for reading, zero for none, unless c is to end.
func (c *Conn) ReadUntil(t time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.why == nil {
		c.SetReadDeadline(t)
	}
}

// End makes reading fail from now on, so that whoever serves c comes to its end, and can still write. The first
// reason counts. It does not wait.
func (c *Conn) End(why error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.why == nil {
		c.why = why
		c.SetReadDeadline(time.Unix(1, 0))
	}
}

// Why returns the reason that was given to End, nil if c goes on.
func (c *Conn) Why() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.why
}

// cut ends c without a word: what it has of the system is to be free for others at once, and not when a stranger
// has read his farewell.
func (c *Conn) cut(why error) {
	c.End(why)
	c.Conn.Close()
}

// CloseWrite ends what is sent and leaves reading open, if the connection can do so.
func (c *Conn) CloseWrite() error {
	if half, ok := c.Conn.(interface{ CloseWrite() error }); ok {
		return half.CloseWrite()
	}
	return errors.ErrUnsupported
}

// Close closes the connection and leaves the lobby.
func (c *Conn) Close() error {
	c.lobby.mu.Lock()
	c.lobby.remove(c)
	c.lobby.mu.Unlock()
	return c.Conn.Close()
}
