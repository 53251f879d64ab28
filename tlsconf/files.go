package tlsconf

import (
	"crypto/tls"
	"fmt"
	"log/slog"
	"os"
	"sync"
	"time"
)

// checkEvery is how often the files are looked at, at most; only when somebody connects.
const checkEvery = time.Second

// pair is a certificate and its key in two files. Whoever renews them writes one after the other: until
// they fit together, the former pair stays in use.
type pair struct {
	certFile, keyFile string
	log               *slog.Logger

	mu      sync.Mutex // guards the rest
	cert    *tls.Certificate
	seen    [2]stamp // of the files that cert, or the latest failure, came from
	checked time.Time
}

// stamp tells one state of a file from another.
type stamp struct {
	mod  time.Time
	size int64
}

func stampOf(file string) (stamp, error) {
	fi, err := os.Stat(file)
	if err != nil {
		return stamp{}, err
	}
	return stamp{fi.ModTime(), fi.Size()}, nil
}

// certificate returns the pair in use. It looks for a new one first, if it is time to.
func (p *pair) certificate(*tls.ClientHelloInfo) (*tls.Certificate, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if now := time.Now(); now.Sub(p.checked) >= checkEvery {
		p.checked = now
		p.reload()
	}
	return p.cert, nil
}

// reload takes the files' present state over, if it is new and good. What is wrong with it is logged
// once.
func (p *pair) reload() {
	seen, err := p.stamps()
	if err == nil && seen == p.seen {
		return
	}
	if err != nil {
		if p.seen != ([2]stamp{}) {
			p.log.Error("tls: the certificate's files can't be read: keeping the former one", "error", err)
		}
		p.seen = [2]stamp{}
		return
	}
	if err := p.load(); err != nil {
		p.log.Error("tls: the new certificate can't be used: keeping the former one", "error", err)
		p.seen = seen
		return
	}
	p.log.Info("tls: new certificate", "file", p.certFile, "expires", p.cert.Leaf.NotAfter)
}

func (p *pair) stamps() (s [2]stamp, err error) {
	if s[0], err = stampOf(p.certFile); err != nil {
		return s, err
	}
	s[1], err = stampOf(p.keyFile)
	return s, err
}

// load reads the files. The stamps are taken before, so that a change in between is seen later.
func (p *pair) load() error {
	seen, err := p.stamps()
	if err != nil {
		return fmt.Errorf("tls: %w", err)
	}
	cert, err := tls.LoadX509KeyPair(p.certFile, p.keyFile)
	if err != nil {
		return fmt.Errorf("tls: %s and %s: %w", p.certFile, p.keyFile, err)
	}
	p.cert, p.seen = &cert, seen
	return nil
}
