enum ErrorStatisticsPlaceholder {}
