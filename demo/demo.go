// Package demo is a host who never gets tired: it publishes a short looping show over RTMP, for a first look
// at the server without an encoder, and for tests. Every three seconds it shows another product, and says so
// with a data message in the same stream, as any encoder could: a cue that comes up with its picture.
//
// The clip (clip.flv, made by makeclip) is the project's own. Looped, its times go on upwards for ever, and
// pictures and sound stay as far apart as they are in it.
package demo

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"
)

// Host publishes the show. Its zero value lacks only URL.
type Host struct {
	// URL is where to publish: rtmp://HOST:PORT/APP/KEY.
	URL string
	// Log hears of connections and their ends; nil means slog's default.
	Log *slog.Logger
}

// How long a host who was dropped waits before it comes back: longer with each failure in a row.
const (
	firstPause = time.Second
	lastPause  = 15 * time.Second
)

// Run publishes until ctx is done, which is the only way it returns, with ctx's error. A connection that
// breaks, or a publish that is refused, is tried again after a pause.
func (h *Host) Run(ctx context.Context) error {
	log := h.Log
	if log == nil {
		log = slog.Default()
	}
	show, err := loadClip(clipFLV)
	if err != nil {
		return fmt.Errorf("demo: the clip is damaged: %w", err)
	}
	pause := firstPause
	for {
		began := time.Now()
		err := publish(ctx, h.URL, show)
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if time.Since(began) > lastPause {
			pause = firstPause
		}
		var no *refusal
		if errors.As(err, &no) {
			log.Warn("demo host refused", "reason", no.Error(), "again_in", pause)
		} else {
			log.Warn("demo host dropped", "error", err, "again_in", pause)
		}
		select {
		case <-time.After(pause):
		case <-ctx.Done():
			return ctx.Err()
		}
		pause = min(2*pause, lastPause)
	}
}
