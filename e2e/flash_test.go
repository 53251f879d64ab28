package e2e

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"pushcart/e2e/harness"
)

// inTime is how far a beep may be from its flash. It does not depend on the machine's speed: reports say when
// pictures and sounds were made, and not when they came.
const inTime = 40 * time.Millisecond

// TestFlashAndBeep publishes flashes and beeps by RTSP, with sender reports: what is served has them together, at
// the start and after E2E_FLASH_MINUTES of it (some seconds by default).
// On a busy machine the first sounds come more than a second behind their pictures: silence takes their place, and the
// first beeps are not heard.
func TestFlashAndBeep(t *testing.T) {
	harness.Need(t, "ffmpeg")
	minutes := harness.Number("E2E_FLASH_MINUTES", 0)
	s := harness.Serve(t, binary(t), "")
	for _, transport := range []string{"tcp", "udp"} {
		harness.FlashAndBeep(t, "-f", "rtsp", "-rtsp_transport", transport, s.CameraURL(transport))
	}
	for _, transport := range []string{"tcp", "udp"} {
		meet(t, transport+", at the start", s.Apart(t, transport, 4, false))
	}
	time.Sleep(time.Duration(minutes) * time.Minute)
	for _, transport := range []string{"tcp", "udp"} {
		meet(t, fmt.Sprintf("%s, after %d minutes", transport, minutes), s.Apart(t, transport, 10, true))
	}
}

// meet checks that beeps come with their flashes.
func meet(t *testing.T, what string, apart []time.Duration) {
	t.Helper()
	t.Logf("%s: %d beeps are between %v and %v later than their flashes", what, len(apart), slices.Min(apart), slices.Max(apart))
	for _, late := range apart {
		if late.Abs() > inTime {
			t.Errorf("%s: a beep is %v later than its flash", what, late)
		}
	}
}
