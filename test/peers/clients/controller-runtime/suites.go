// Package suites names the packages of controller-runtime whose own tests are built and run against Kubun.
package suites

import _ "sigs.k8s.io/controller-runtime"
