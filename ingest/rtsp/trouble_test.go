package rtsp

import (
	"errors"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/bluenviron/gortsplib/v4/pkg/base"
	"github.com/bluenviron/gortsplib/v4/pkg/liberrors"
)

// TestTrouble has a camera that is not there, by a real connection: the reason is told with the first try, in words
// that say nothing of where the camera is.
func TestTrouble(t *testing.T) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	addr := ln.Addr().String()
	ln.Close()
	told := make(chan string, 100)
	p := &Puller{
		Streams: []Stream{{Name: "cam1", Source: Source("rtsp://viewer:p%40ss@" + addr + "/x"), OnDemand: true}},
		Taken:   func(string) bool { return false },
		Viewers: func(string) int { return 0 },
		Failed: func(name, why string) {
			if name == "cam1" {
				told <- why
			}
		},
	}
	p.init()
	go p.Run(t.Context())
	p.Want("cam1")
	select {
	case why := <-told:
		if !strings.Contains(why, "refuses connections") || strings.Contains(why, "127.0.0.1") {
			t.Errorf("told %q", why)
		}
		if s := p.Stats()[0]; s.Trouble != why || s.Up {
			t.Errorf("%+v", s)
		}
	case <-time.After(time.Minute):
		t.Fatal("nobody was told")
	}
}

// TestTroubles has what else can be wrong, and nothing of an error's own words.
func TestTroubles(t *testing.T) {
	for _, tt := range []struct {
		err  error
		want string
	}{
		{liberrors.ErrClientBadStatusCode{Code: base.StatusUnauthorized}, "user name and password"},
		{liberrors.ErrClientBadStatusCode{Code: base.StatusNotFound}, "no stream at the path"},
		{liberrors.ErrClientBadStatusCode{Code: 454}, "status 454"},
		{&net.DNSError{Err: "no such host", Name: "secret.internal"}, "host name is not known"},
		{&net.OpError{Op: "read", Err: errTimeout{}}, "does not answer"},
		{liberrors.ErrClientRequestTimedOut{}, "does not answer"},
		{errIdle(time.Second), "sends nothing"},
		{errors.New("secret"), "broke"},
	} {
		if got := trouble(tt.err); !strings.Contains(got, tt.want) || strings.Contains(got, "secret") {
			t.Errorf("%v: %q", tt.err, got)
		}
	}
}

type errTimeout struct{}

func (errTimeout) Error() string   { return "i/o timeout" }
func (errTimeout) Timeout() bool   { return true }
func (errTimeout) Temporary() bool { return true }
