package rtmp

import (
	"bytes"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"io"
)

// The handshake (RTMP 1.0, 5.2): each side sends a version byte and 1,536 bytes, and answers the
// other's 1,536 with as many. The digest handshake is Flash Player 9's, never published by Adobe but
// known to all: both sides hide an HMAC in those bytes.
const (
	handshakeVersion = 3
	handshakeSize    = 1536
	digestSize       = sha256.Size
)

// The keys of the digest handshake. The first 30 and 36 bytes are used for C1 and S1, all of them for
// the answers.
var (
	playerKey = []byte("Genuine Adobe Flash Player 001")
	serverKey = append([]byte("Genuine Adobe Flash Media Server 001"),
		0xF0, 0xEE, 0xC2, 0x4A, 0x80, 0x68, 0xBE, 0xE8, 0x2E, 0x00, 0xD0, 0xD1, 0x02, 0x9E, 0x7E, 0x57,
		0x6E, 0xEC, 0x5D, 0x2D, 0x29, 0x80, 0x6F, 0xAB, 0x93, 0xB8, 0xE6, 0x36, 0xCF, 0xEB, 0x31, 0xAE)
)

const serverKeyS1 = 36

// The two schemes of the digest handshake differ in where the digest is: the offset's four bytes stand
// at the beginning of one half of C1 or S1, and the digest lies in the same half behind them.
var digestSchemes = [...]int{8, 772}

// handshake does the server's side on rw, simple or with a digest, as the client wants it. What C2
// holds does not matter: many encoders answer with nonsense.
func handshake(rw io.ReadWriter) error {
	var c [1 + handshakeSize]byte
	if _, err := io.ReadFull(rw, c[:1]); err != nil {
		return err
	}
	if c[0] != handshakeVersion {
		return versionError(c[0])
	}
	c1 := c[1:]
	if _, err := io.ReadFull(rw, c1); err != nil {
		return noEOF(err)
	}
	s := make([]byte, 1, 1+2*handshakeSize)
	s[0] = handshakeVersion
	if scheme, digest := findDigest(c1); digest != nil {
		s = append(s, digestS1(scheme)...)
		s = append(s, digestS2(digest)...)
	} else {
		s1 := make([]byte, handshakeSize) // time and zero are 0
		rand.Read(s1[8:])
		s = append(s, s1...)
		s = append(s, c1...)
	}
	if _, err := rw.Write(s); err != nil {
		return err
	}
	_, err := io.ReadFull(rw, c1)
	return noEOF(err)
}

// findDigest looks for a client's digest in C1, by both schemes.
func findDigest(c1 []byte) (scheme int, digest []byte) {
	if binary.BigEndian.Uint32(c1[4:]) == 0 {
		return 0, nil // a client without a version has no digest
	}
	for _, scheme := range digestSchemes {
		at := digestOffset(c1, scheme)
		digest := c1[at : at+digestSize]
		if hmac.Equal(digest, digestOf(c1, at, playerKey)) {
			return scheme, bytes.Clone(digest)
		}
	}
	return 0, nil
}

// digestOffset returns where the digest of C1 or S1 lies.
func digestOffset(b []byte, scheme int) int {
	sum := int(b[scheme]) + int(b[scheme+1]) + int(b[scheme+2]) + int(b[scheme+3])
	return scheme + 4 + sum%728
}

// digestOf is the HMAC of b without the digest at the given place.
func digestOf(b []byte, at int, key []byte) []byte {
	h := hmac.New(sha256.New, key)
	h.Write(b[:at])
	h.Write(b[at+digestSize:])
	return h.Sum(nil)
}

func digestS1(scheme int) []byte {
	s1 := make([]byte, handshakeSize)
	rand.Read(s1[8:])
	copy(s1[4:8], []byte{5, 0, 0, 1}) // a version: without one there is no digest
	at := digestOffset(s1, scheme)
	copy(s1[at:], digestOf(s1, at, serverKey[:serverKeyS1]))
	return s1
}

func digestS2(c1Digest []byte) []byte {
	s2 := make([]byte, handshakeSize)
	end := handshakeSize - digestSize
	rand.Read(s2[:end])
	key := hmac.New(sha256.New, serverKey)
	key.Write(c1Digest)
	h := hmac.New(sha256.New, key.Sum(nil))
	h.Write(s2[:end])
	copy(s2[end:], h.Sum(nil))
	return s2
}

// versionError says what a first byte other than 3 tells of the client.
func versionError(b byte) error {
	switch {
	case b == 0x16:
		return FormatError("the client speaks TLS to the port for plain RTMP: use rtmp:// here, or the RTMPS port")
	case b == 6 || b == 8:
		return UnsupportedError("encrypted RTMP (RTMPE): use rtmp:// or rtmps://")
	case b >= 'A' && b <= 'Z':
		return FormatError("the client speaks HTTP or another text protocol, not RTMP")
	}
	return FormatError(fmt.Sprintf("the client speaks version %d of RTMP, not 3", b))
}

func noEOF(err error) error {
	if err == io.EOF {
		return io.ErrUnexpectedEOF
	}
	return err
}
