# aff_flags.m4 - asks the compilers whether they take a flag.
#
# AFF_CC_FLAG(flag, if-yes, if-no) compiles and links; AFF_CXX_FLAG compiles.

AC_DEFUN([AFF_CC_FLAG], [
    aff_saved="$CFLAGS"; CFLAGS="$CFLAGS -Werror $1"
    AC_MSG_CHECKING([whether the C compiler takes $1])
    AC_LINK_IFELSE([AC_LANG_PROGRAM], [aff_ok=yes], [aff_ok=no])
    AC_MSG_RESULT([$aff_ok])
    CFLAGS="$aff_saved"
    AS_IF([test $aff_ok = yes], [$2], [$3])])

AC_DEFUN([AFF_CXX_FLAG], [
    AC_LANG_PUSH([C++])
    aff_saved="$CXXFLAGS"; CXXFLAGS="$CXXFLAGS -Werror $1"
    AC_MSG_CHECKING([whether the C++ compiler takes $1])
    AC_COMPILE_IFELSE([AC_LANG_PROGRAM], [aff_ok=yes], [aff_ok=no])
    AC_MSG_RESULT([$aff_ok])
    CXXFLAGS="$aff_saved"
    AC_LANG_POP([C++])
    AS_IF([test $aff_ok = yes], [$2])])
