package transcodetest

import (
	"context"
	"log/slog"
	"testing"

	"pushcart/stream"
)

// Room makes something of shows.
type Room interface {
	Show(*stream.Stream)
	Run(context.Context) error
}

// House is a hub with a room, as cmd/pushcart joins them.
type House[R Room] struct {
	Hub   *stream.Hub
	Room  R
	Shows chan *stream.Stream // each new one
}

// Open opens a room and a house around it, until the test is over.
func Open[R Room](t *testing.T, open func(*stream.Hub, *slog.Logger) R) *House[R] {
	t.Helper()
	log := slog.New(slog.NewTextHandler(t.Output(), nil))
	h := &House[R]{Shows: make(chan *stream.Stream, 8)}
	h.Hub = stream.NewHub(stream.Config{}, log, func(s *stream.Stream) {
		h.Room.Show(s)
		h.Shows <- s
	})
	h.Room = open(h.Hub, log)
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		defer close(done)
		if err := h.Room.Run(ctx); err != nil {
			t.Error(err)
		}
	}()
	t.Cleanup(func() {
		h.Hub.Close()
		cancel()
		<-done
	})
	return h
}
