package main

import (
	"encoding/binary"
	"math"
)

// The piece: eight bars of three seconds, one for each product, over a circle of chords that ends where it
// begins. A soft pad, a bass note, and a plucked figure in eighths.
var chords = [8][4]int{ // MIDI notes
	{60, 64, 67, 71}, // C major 7
	{57, 60, 64, 67}, // A minor 7
	{53, 57, 60, 64}, // F major 7
	{55, 59, 62, 64}, // G 6
	{60, 64, 67, 71}, // C major 7
	{52, 55, 59, 62}, // E minor 7
	{53, 57, 60, 64}, // F major 7
	{55, 59, 62, 65}, // G 7
}

// figure is the order in which a bar's eighths pluck the chord's notes; 4 is the lowest an octave higher.
var figure = [8]int{0, 2, 3, 4, 3, 2, 1, 2}

const (
	barSeconds   = 3.0
	eighth       = barSeconds / 8
	pluckSeconds = 1.6
)

// music returns n samples of 16-bit little-endian stereo. Whatever still sounds at the end goes on at the
// beginning, so that the loop has no seam.
func music(n int) []byte {
	left, right := make([]float64, n), make([]float64, n)
	for bar, chord := range chords {
		start := float64(bar) * barSeconds
		for _, note := range chord {
			pad(left, start, pitch(note)*1.0015, 0.055)
			pad(right, start, pitch(note)*0.9985, 0.055)
		}
		for _, side := range [][]float64{left, right} {
			pad(side, start, pitch(chord[0]-24), 0.16)
		}
		for i, step := range figure {
			note := chord[0] + 12
			if step < 4 {
				note = chord[step]
			}
			at, pan := start+float64(i)*eighth, 0.5+0.3*math.Sin(float64(i)*1.7)
			pluck(left, at, pitch(note+12), 0.17*(1-pan))
			pluck(right, at, pitch(note+12), 0.17*pan)
		}
	}
	out := make([]byte, 0, n*4)
	for i := range n {
		out = binary.LittleEndian.AppendUint16(out, uint16(sample(left[i])))
		out = binary.LittleEndian.AppendUint16(out, uint16(sample(right[i])))
	}
	return out
}

// pitch returns the frequency of a MIDI note in hertz.
func pitch(note int) float64 { return 440 * math.Exp2(float64(note-69)/12) }

// sample rounds off what is too loud instead of cutting it.
func sample(x float64) int16 { return int16(math.Tanh(x) * 26000) }

// pad adds a note of one bar that swells and fades into the next one.
func pad(into []float64, start, hertz, loud float64) {
	length := barSeconds * 1.25
	add(into, start, length, func(t float64) float64 {
		swell := math.Min(1, t/0.5) * math.Min(1, (length-t)/1.1)
		x := 2 * math.Pi * hertz * t
		return loud * swell * (math.Sin(x) + 0.25*math.Sin(2*x) + 0.08*math.Sin(3*x))
	})
}

// pluck adds a short note whose overtones die first.
func pluck(into []float64, start, hertz, loud float64) {
	add(into, start, pluckSeconds, func(t float64) float64 {
		x := 2 * math.Pi * hertz * t
		attack, end := math.Min(1, t/0.006), math.Min(1, (pluckSeconds-t)/0.1)
		return loud * attack * end * (math.Exp(-3.2*t)*math.Sin(x) + 0.45*math.Exp(-6*t)*math.Sin(2*x) + 0.2*math.Exp(-10*t)*math.Sin(3*x))
	})
}

func add(into []float64, start, length float64, wave func(t float64) float64) {
	first := int(math.Round(start * sampleRate))
	for i := range int(length * sampleRate) {
		into[(first+i)%len(into)] += wave(float64(i) / sampleRate)
	}
}
