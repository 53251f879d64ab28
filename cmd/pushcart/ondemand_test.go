package main

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"pushcart/origin"
)

// TestOnDemandTrouble has a camera that does not come. Who waits is told so when the next try has failed; that an
// earlier one has is no answer.
func TestOnDemandTrouble(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		wanted := 0
		d := &onDemand{find: func() (*show, bool) { return nil, false }, want: func() { wanted++ }, begun: make(chan struct{})}
		d.failed("the camera is on fire") // nobody waits
		answer := make(chan error)
		go func() {
			_, err := d.Multivariant(t.Context())
			answer <- err
		}()
		synctest.Wait()
		select {
		case err := <-answer:
			t.Fatalf("answered before there was a try: %v", err)
		default:
		}
		d.failed("the camera does not answer")
		if err := <-answer; !errors.Is(err, origin.ErrAway) || err.Error() != "the camera does not answer; try again in a moment" {
			t.Errorf("told %v", err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if _, err := d.Multivariant(ctx); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("without a try: %v", err)
		}
		if wanted != 2 {
			t.Errorf("it was wanted %d times", wanted)
		}
	})
}
