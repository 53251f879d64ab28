package rtsp

import (
	"errors"
	"net/netip"
	"time"

	"github.com/bluenviron/gortsplib/v4/pkg/base"
	"github.com/bluenviron/gortsplib/v4/pkg/headers"
)

// gortsplib knows where a packet belongs by the address and port that it comes from, and forgets that for
// whoever has the port when any session ends that has asked for it. Two sessions with the same ports would take
// each other's packets: an encoder that comes back before its old session is over, or two behind one
// router that is not careful. So a port belongs to one session at a time.

// maxHandover is how long a session waits for the one that it has taken over from to let its ports go.
const maxHandover = 2 * time.Second

var errPorts = errors.New("Another encoder at your address uses the same UDP ports: use TCP, or set other ports.")

// clientPorts returns the ports that a SETUP request names.
func clientPorts(req *base.Request, from netip.Addr) []netip.AddrPort {
	var list headers.Transports
	if err := list.Unmarshal(req.Header["Transport"]); err != nil {
		return nil
	}
	var ports []netip.AddrPort
	for _, t := range list {
		if t.Protocol != headers.TransportProtocolUDP || t.ClientPorts == nil {
			continue
		}
		for _, p := range t.ClientPorts {
			ports = append(ports, netip.AddrPortFrom(from.Unmap(), uint16(p)))
		}
	}
	return ports
}

// claim makes the ports p's, once those who have been told to go have let them go.
func (s *Server) claim(p *publish, ports []netip.AddrPort) error {
	deadline := time.NewTimer(maxHandover)
	defer deadline.Stop()
	for {
		other := s.tryClaim(p, ports)
		if other == nil {
			return nil
		}
		select {
		case <-other.pub.Done():
		default:
			return errPorts
		}
		select {
		case <-other.over:
		case <-deadline.C:
			return errPorts
		}
	}
}

// tryClaim does so, or returns one who has one of them.
func (s *Server) tryClaim(p *publish, ports []netip.AddrPort) *publish {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, port := range ports {
		if other := s.ports[port]; other != nil && other != p {
			return other
		}
	}
	if s.ports == nil {
		s.ports = make(map[netip.AddrPort]*publish)
	}
	for _, port := range ports {
		s.ports[port] = p
	}
	p.ports = append(p.ports, ports...)
	return nil
}

// release lets p's ports go.
func (s *Server) release(p *publish) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, port := range p.ports {
		if s.ports[port] == p {
			delete(s.ports, port)
		}
	}
}
