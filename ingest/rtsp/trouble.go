package rtsp

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"os"
	"syscall"

	"github.com/bluenviron/gortsplib/v4/pkg/base"
	"github.com/bluenviron/gortsplib/v4/pkg/liberrors"

	"pushcart/ingest"
)

// trouble says what is wrong with a camera, as viewers may read it: without its address, and whatever else an
// error may tell of the network that it is in.
func trouble(err error) string {
	var status liberrors.ErrClientBadStatusCode
	var refusal *ingest.Refusal
	switch {
	case errors.As(err, &status):
		return answered(status.Code)
	case errors.As(err, &refusal):
		return refusal.Reason
	case errors.Is(err, syscall.ECONNREFUSED):
		return "the camera's address refuses connections: it is off, restarting, or has another port"
	case errors.Is(err, syscall.EHOSTUNREACH), errors.Is(err, syscall.ENETUNREACH):
		return "there is no way to the camera's address"
	case errors.As(err, new(*net.DNSError)):
		return "the camera's host name is not known"
	case errors.Is(err, os.ErrDeadlineExceeded), errors.Is(err, context.DeadlineExceeded), isTimeout(err),
		errors.As(err, new(liberrors.ErrClientRequestTimedOut)):
		return "the camera does not answer"
	case errors.Is(err, errNothing):
		return "the camera is there, but sends nothing"
	case errors.As(err, new(x509.UnknownAuthorityError)), errors.As(err, new(x509.HostnameError)), errors.As(err, new(x509.CertificateInvalidError)):
		return "the camera's certificate is not trusted"
	}
	return "the connection to the camera broke, or what it sends can't be used"
}

// answered says what a status code means that a camera has answered with.
func answered(code base.StatusCode) string {
	switch code {
	case base.StatusUnauthorized, base.StatusForbidden:
		return "the camera does not accept the user name and password"
	case base.StatusNotFound:
		return "the camera has no stream at the path in its address"
	}
	return fmt.Sprintf("the camera answers with status %d", code)
}

func isTimeout(err error) bool {
	var t net.Error
	return errors.As(err, &t) && t.Timeout()
}
