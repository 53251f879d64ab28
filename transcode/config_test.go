package transcode

import (
	"slices"
	"testing"
)

// TestAudioBitRates: each rate once, and none for rungs that nobody makes.
func TestAudioBitRates(t *testing.T) {
	c := ladder(
		Rung{ShortSide: 720, BitRate: 2_000_000, AudioBitRate: 128_000, Codec: "hevc"},
		Rung{ShortSide: 480, BitRate: 1_000_000, AudioBitRate: 64_000},
		Rung{ShortSide: 360, BitRate: 700_000, AudioBitRate: 64_000},
		Rung{ShortSide: 240, BitRate: 400_000}).WithDefaults()
	if got, want := c.AudioBitRates("a", map[string]bool{"libx264": true, "libx265": true}), []BitRate{128_000, 64_000}; !slices.Equal(got, want) {
		t.Errorf("with all encoders %v, want %v", got, want)
	}
	if got, want := c.AudioBitRates("a", map[string]bool{"libx264": true}), []BitRate{64_000}; !slices.Equal(got, want) {
		t.Errorf("without that of the first rung %v, want %v", got, want)
	}
}
